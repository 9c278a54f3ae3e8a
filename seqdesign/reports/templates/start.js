for (const box of document.querySelectorAll(".sd-data")) startTable(box);
for (const figure of document.querySelectorAll("figure")) { startFigure(figure); startStructure(figure); }
startTips();
// Paper has no clicks.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open]):not(.sd-help)")) {
    part.open = true;
    part.dataset.printed = "yes";
  }
});
addEventListener("afterprint", () => {
  for (const part of document.querySelectorAll("details[data-printed]")) part.open = false;
});
// Who goes to the provenance wants to read it.
document.querySelector('nav a[href="#provenance"]')?.addEventListener("click", () => {
  document.querySelector("#provenance details").open = true;
});
