// The size of a picture: fit, as large as it was, or anything between. Without this file it fits.
"use strict";
for (const tools of document.querySelectorAll("[data-zoom-for]")) {
  const sheet = document.getElementById(tools.dataset.zoomFor);
  const drawn = sheet.querySelector(".drawn");
  const full = drawn.viewBox ? drawn.viewBox.baseVal.width : () => drawn.naturalWidth;
  const width = () => (typeof full === "function" ? full() : full);
  const set = (pixels) => {
    drawn.setAttribute("width", String(Math.round(Math.min(8000, Math.max(200, pixels)))));
    sheet.classList.add("zoomed");
  };
  const now = () => drawn.getBoundingClientRect().width;
  const act = (what) => {
    if (what === "fit") {
      drawn.removeAttribute("width");
      sheet.classList.remove("zoomed");
    } else if (what === "full") set(width());
    else set(now() * (what === "in" ? 1.25 : 0.8));
  };
  tools.hidden = false;
  tools.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (button) act(button.dataset.zoom);
  });
  const boxes = tools.querySelector("[data-boxes]");
  if (boxes) boxes.addEventListener("change", () => sheet.classList.toggle("plain-picture", !boxes.checked));
  sheet.addEventListener("keydown", (event) => {
    const what = { "+": "in", "=": "in", "-": "out", 0: "fit", 1: "full" }[event.key];
    if (what && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      act(what);
    }
  });
}
