/** The first answers of the plain search, waited for before anything is drawn: then what is drawn first has rows. */
import type { QueryClient } from "@tanstack/react-query";
import { hitsQuery } from "./hits.ts";
import { servicesQuery } from "./queries.ts";
import { DEFAULT_SEARCH } from "./search_url.ts";

/** A server that takes longer is not waited for: then the frame of the page comes first. */
const WAIT_MS = 250;

/** Resolves when they are here, or for other addresses and slow servers without them. */
export async function firstAnswers(client: QueryClient, path: string, search: string): Promise<void> {
  if (path !== "/" || search !== "") return;
  const { query, range, order } = DEFAULT_SEARCH;
  const answers = Promise.all([client.prefetchInfiniteQuery(hitsQuery({ query, range, order })), client.prefetchQuery(servicesQuery)]);
  await Promise.race([answers, new Promise((resolve) => setTimeout(resolve, WAIT_MS))]);
}
