// A file is hashed in the browser, so that it need not be sent. Without this file, or for a large one, the server does it.
"use strict";
const MOST = 256 * 1024 * 1024; // WebCrypto wants all of it at once
for (const form of document.querySelectorAll("[data-hashing]")) {
  const input = form.querySelector("input[type=file]");
  const said = form.querySelector("[data-said]");
  const look = async (file) => {
    said.textContent = `hashing ${file.name} …`;
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    const hex = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
    const asked = new URLSearchParams({ sha256: hex, name: file.name.slice(0, 150) });
    location.assign(`/whereis?${asked}`);
  };
  const canHash = (file) => file && window.isSecureContext && crypto.subtle && file.size <= MOST;
  form.addEventListener("submit", (event) => {
    const file = input.files[0];
    if (!canHash(file)) return;
    event.preventDefault();
    look(file).catch(() => form.submit());
  });
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    const file = event.dataTransfer.files[0];
    if (!file) return;
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
}
