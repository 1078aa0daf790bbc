/** Components that come in a chunk of their own when they are asked for. */
import { type ComponentType, use } from "react";

/** Suspends until it is here; `load` fetches it before anybody looks. */
export type Later<Props extends object> = ComponentType<Props> & { readonly load: () => Promise<unknown> };

/**
 * Like `lazy`, but what is here already is drawn at once: `lazy` suspends even then, and React shows a fallback that has
 * appeared for 300 ms, however soon its content comes. A load that failed is tried again by the next one who asks.
 */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>): Later<Props> {
  let here: ComponentType<Props> | null = null;
  let coming: Promise<ComponentType<Props>> | null = null;
  const ask = (): Promise<ComponentType<Props>> =>
    (coming ??= load().then(
      (component) => (here = component),
      (cause: unknown) => {
        coming = null;
        throw cause;
      },
    ));
  function Component(props: Props) {
    const View = here ?? use(ask());
    return <View {...props} />;
  }
  return Object.assign(Component, { load: ask });
}
