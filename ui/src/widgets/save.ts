/** Saving text as a file, by way of the browser's own download. */

/** `pieces` follow on each other. */
export function saveText(name: string, pieces: readonly string[]): void {
  const address = URL.createObjectURL(new Blob([...pieces], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken the blob over by the time this runs.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
