// Before the first paint: a chosen theme wins over the system's. A file and not inline, so that a strict
// content security policy needs no exception. The key is the one of src/state/theme.ts.
try {
  var theme = localStorage.getItem("throughline.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (refused) {
  // Storage may be forbidden; the system's choice then holds.
}
