// Errors of parts that load by themselves are said where they were to stand.
"use strict";
document.addEventListener("htmx:responseError", (event) => {
  const told = document.createElement("p");
  told.className = "notice bad";
  told.textContent = event.detail.xhr.status === 401 ? "You are signed out: load the page again." : "This could not be had: load the page again.";
  event.detail.target.replaceChildren(told);
});
document.addEventListener("htmx:sendError", (event) => {
  const told = document.createElement("p");
  told.className = "notice bad";
  told.textContent = "The console does not answer. Is the command still running?";
  event.detail.target.replaceChildren(told);
});
