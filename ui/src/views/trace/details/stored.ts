/** Whether the trace is held by the server, which then knows its like; one from a file is not. */
import { createContext } from "react";

export const StoredContext = createContext(true);
