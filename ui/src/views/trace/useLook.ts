/** What is looked at, kept in the address: changed at once here, written there when it rests. */
import { useEffect, useRef, useState } from "react";
import { useLocation } from "wouter";
import { useSearch } from "wouter/use-browser-location";
import { lookFromSearch, searchFromLook, type TraceLook } from "../../state/trace_url.ts";

/** Browsers refuse more than some hundred address changes in half a minute, which a held key would reach. */
const REST_MS = 200;

export function useLook(): readonly [TraceLook, (patch: Partial<TraceLook>) => void] {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const [look, setLook] = useState(() => lookFromSearch(search));
  const known = useRef(searchFromLook(look));

  // The address changed from elsewhere: going back, or a link to another span of this trace.
  useEffect(() => {
    const next = lookFromSearch(search);
    const text = searchFromLook(next);
    if (text === known.current) return;
    known.current = text;
    setLook(next);
  }, [search]);

  useEffect(() => {
    const text = searchFromLook(look);
    if (text === known.current) return;
    const timer = setTimeout(() => {
      known.current = text;
      navigate(`${path}${text}`, { replace: true });
    }, REST_MS);
    return () => clearTimeout(timer);
  }, [look, path, navigate]);

  return [look, (patch) => setLook((old) => ({ ...old, ...patch }))];
}
