// Before the first paint: a chosen theme wins over the system's. A file and not inline, so that a strict
// content security policy needs no exception. The key is the one of src/state/theme.ts.
try {
  var theme = localStorage.getItem("throughline.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (refused) {
  // Storage may be forbidden; the system's choice then holds.
}

// The browser asks for the trace while it still loads the page; src/api/client.ts then finds the answer on its way.
var shown = /^\/trace\/([0-9a-f]{32})$/.exec(location.pathname);
if (shown) {
  var early = document.createElement("link");
  early.rel = "preload";
  early.as = "fetch";
  early.crossOrigin = "anonymous";
  early.href = "/api/v1/traces/" + shown[1] + "/skeleton";
  document.head.append(early);
}
