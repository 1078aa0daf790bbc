/** What the server says about the text of a query. Places are UTF-16 units of that text. */

export interface Fix {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly message: string;
  /** Empty for none. */
  readonly hint: string;
  readonly from: number;
  readonly to: number;
  readonly fixes: readonly Fix[];
}

export interface Diagnosis {
  /** The text that was judged. */
  readonly query: string;
  readonly isValid: boolean;
  readonly kind: "search" | "metrics";
  readonly diagnostics: readonly Diagnostic[];
}

export type OfferKind = "keyword" | "function" | "intrinsic" | "scope" | "operator" | "value" | "mark" | "attribute";

export interface Offers {
  readonly from: number;
  readonly to: number;
  readonly items: readonly { readonly kind: OfferKind; readonly text: string; readonly detail: string }[];
}
