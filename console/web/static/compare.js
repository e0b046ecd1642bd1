// The earlier picture laid over the later one, as far as the slider says. Without this file they stand side by side.
"use strict";
for (const slider of document.querySelectorAll("[data-slider]")) {
  const range = slider.querySelector("input[type=range]");
  const pair = slider.querySelector(".pair");
  const show = () => pair.style.setProperty("--shown", `${range.value}%`);
  slider.classList.add("live");
  slider.querySelector(".tools").hidden = false;
  range.addEventListener("input", show);
  show();
}
