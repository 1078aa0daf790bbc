/** The few icons of the page, drawn on a 16-pixel grid in the colour of the text. Decoration only: words stand beside them. */
import type { ReactNode } from "react";
import type { SpanKind } from "../model/span.ts";

export interface IconProps {
  readonly size?: number;
}

function icon(drawing: ReactNode) {
  return function Icon({ size = 14 }: IconProps) {
    return (
      <svg width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
        {drawing}
      </svg>
    );
  };
}

export const ChevronIcon = icon(<path d="M6 4l4 4-4 4" />);
export const CloseIcon = icon(<path d="M4 4l8 8M12 4l-8 8" />);
export const CopyIcon = icon(<path d="M6 6h7v7H6zM3 10V3h7" />);
export const PlusIcon = icon(<path d="M8 3v10M3 8h10" />);
export const MinusIcon = icon(<path d="M3 8h10" />);
export const WidenIcon = icon(<path d="M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5M2.5 8h11" />);
export const CheckIcon = icon(<path d="M3 8.5l3.5 3.5L13 4.5" />);
export const RefreshIcon = icon(<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.5v3h-3" />);
export const UpIcon = icon(<path d="M4 10l4-4 4 4" />);
export const DownIcon = icon(<path d="M4 6l4 4 4-4" />);
export const BackIcon = icon(<path d="M13 8H3M7 4L3 8l4 4" />);
export const LinkIcon = icon(<path d="M6.5 9.5l3-3M7 4.5l1.2-1.2a3 3 0 0 1 4.3 4.3L11.3 8.8M9 11.5l-1.2 1.2a3 3 0 0 1-4.3-4.3l1.2-1.2" />);
export const SunIcon = icon(<path d="M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M12.6 3.4l-.7.7M4.1 11.9l-.7.7" />);
export const MoonIcon = icon(<path d="M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z" />);
export const SystemIcon = icon(<path d="M2 3h12v8H2zM6 14h4M8 11v3" />);
export const ErrorIcon = icon(<path d="M8 2l6.5 11.5h-13zM8 6.5v3M8 11.6v.1" />);
export const SearchIcon = icon(<path d="M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.5 10.5L14 14" />);

export const OpenIcon = icon(<path d="M2.5 12.5v-9h4l1.5 2h5.5v2M2.5 12.5l2-5h10l-2 5z" />);
export const DownloadIcon = icon(<path d="M8 2.5v8M4.5 7.5L8 11l3.5-3.5M3 13.5h10" />);
export const PathIcon = icon(<path d="M1.5 4h4v4h5v4h4" />);
export const ClockIcon = icon(<path d="M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2M8 5v3.2l2.2 1.6" />);
export const HintIcon = icon(<path d="M6 12.5h4M6.5 14.5h3M8 1.5a4.2 4.2 0 0 1 2.4 7.6c-.5.4-.6.8-.6 1.4H6.2c0-.6-.1-1-.6-1.4A4.2 4.2 0 0 1 8 1.5" />);
export const FoldIcon = icon(<path d="M3 4h10M3 8h10M3 12h10" />);

/** Where the call goes: in (server), out (client), out to a queue, in from a queue. Internal spans have none. */
const KIND_ICONS: Readonly<Record<SpanKind, ReturnType<typeof icon> | null>> = {
  server: icon(<path d="M2 8h7M6 5l3 3-3 3M12 3v10" />),
  client: icon(<path d="M4 3v10M7 8h7M11 5l3 3-3 3" />),
  producer: icon(<path d="M8 9V2M5 5l3-3 3 3M3 10v4h10v-4" />),
  consumer: icon(<path d="M8 2v7M5 6l3 3 3-3M3 10v4h10v-4" />),
  internal: null,
  unspecified: null,
};

export function KindIcon({ kind }: { readonly kind: SpanKind }) {
  const Icon = KIND_ICONS[kind];
  return Icon && <Icon size={13} />;
}
