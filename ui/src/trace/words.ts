/** What of a span is worth reading where there is little room, and what it says about its error. */
import { stringAttribute } from "../model/attribute.ts";
import type { Span } from "../model/span.ts";

/** `shop.cart.v1.CartService/GetCart`: in a column the package would leave no room for what tells spans apart. */
const IN_PACKAGES = /^(?:[a-z][\w-]*\.)+([A-Z]\w*\/\w+)$/;

/** The name without the packages of a remote procedure; every other name is as it is. */
export const shortName = (name: string): string => IN_PACKAGES.exec(name)?.[1] ?? name;

/** Why the span failed, in the first words that there are: its status, its last exception, the type of its error. Empty for none. */
export function errorWords({ status, events, attributes }: Span): string {
  if (status.message !== "") return status.message;
  const exception = events.findLast(({ name }) => name === "exception");
  const said = (key: string): string => stringAttribute(exception?.attributes ?? [], key) ?? "";
  const words = [said("exception.type"), said("exception.message")].filter((part) => part !== "").join(": ");
  return words || (stringAttribute(attributes, "error.type") ?? "");
}
