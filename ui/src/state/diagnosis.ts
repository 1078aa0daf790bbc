/** What the server says about the text of a query that is being typed or was run. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { fetchDiagnosis } from "../api/client.ts";
import type { Diagnosis } from "../model/diagnosis.ts";

/** After so long without a letter a text is worth judging. */
const PAUSE_MS = 250;

/** Null until known, and for no text, which is always right. */
export function useDiagnosis(text: string): Diagnosis | null {
  const settled = useSettled(text, PAUSE_MS);
  const query = useQuery({
    queryKey: ["diagnosis", settled],
    queryFn: ({ signal }) => fetchDiagnosis(settled, signal),
    enabled: settled.trim() !== "",
    staleTime: Number.POSITIVE_INFINITY,
    // A server that cannot tell must not keep anybody from asking it.
    retry: false,
  });
  return settled.trim() === "" || query.data?.query !== text ? null : query.data;
}

function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
