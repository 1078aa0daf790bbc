// Before the first paint: a chosen theme wins over the system's. A file and not inline, so that a strict
// content security policy needs no exception. The key is the one of src/state/theme.ts.
try {
  var theme = localStorage.getItem("throughline.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (refused) {
  // Storage may be forbidden; the system's choice then holds.
}

// The browser asks for what the address needs while it still loads the page; whoever asks later finds it on its way.
function early(rel, as, href) {
  var link = document.createElement("link");
  link.rel = rel;
  if (as) link.as = as;
  link.crossOrigin = "anonymous";
  link.href = href;
  document.head.append(link);
}

// The files of each screen, by how its addresses begin: the build writes them here.
var screens = {"/":["/assets/SearchView-C5mpRx0J.js","/assets/SearchView-CNHHL1JA.css","/assets/charts-CkYH8sJn.js"],"/trace/":["/assets/TraceView-Mw7FGiiw.js","/assets/traces-DW7FfMyR.js","/assets/traces-crYqF66a.css"]};
var trace = /^\/trace\/([0-9a-f]{32})$/.exec(location.pathname);
(screens[trace ? "/trace/" : location.pathname] || []).forEach(function (file) {
  if (file.endsWith(".css")) early("preload", "style", file);
  else early("modulepreload", "", file);
});
if (trace) early("preload", "fetch", "/api/v1/traces/" + trace[1] + "/skeleton");
// The search that an address without words is: src/state/early.test.ts holds the two together.
if (location.pathname === "/" && location.search === "") {
  early("preload", "fetch", "/api/v1/traces?start=" + (Math.round(performance.timeOrigin) - 3600000) + "000000&order=newest&limit=100");
  early("preload", "fetch", "/api/v1/services");
}
