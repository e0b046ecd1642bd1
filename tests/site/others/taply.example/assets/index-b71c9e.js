const h = (tag, attrs = {}, ...kids) => {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(attrs)) k.startsWith("on") ? e.addEventListener(k.slice(2), v) : e.setAttribute(k, v);
  e.append(...kids);
  return e;
};

const css = `
.wrap{max-width:560px;margin:0 auto;padding:70px 18px;color:#fff;text-align:center}
.face{width:96px;height:96px;margin:0 auto 14px;border-radius:50%;background:conic-gradient(#ffd166,#ef476f,#118ab2,#ffd166)}
.wrap h2{margin:0 0 6px;font-size:20px}.wrap p{margin:0 0 28px;color:#cfc3ea}
.btn{display:block;width:100%;box-sizing:border-box;margin:14px 0;padding:17px;border:2px solid #ffd166;border-radius:40px;background:none;color:#fff;font:600 16px "Noto Sans",sans-serif;text-decoration:none;cursor:pointer}
.btn:hover{background:#ffd166;color:#1d1236}
.by{margin-top:60px;font-size:12px;color:#9786c4}.by a{color:inherit}`;

const row = (l) =>
  l.kind === "button"
    ? h("button", { class: "btn", type: "button", onclick: () => window.open(l.url, "_blank", "noopener") }, l.title)
    : h("a", { class: "btn", href: l.url, target: "_blank", rel: "noopener", role: "button" }, l.title);

const start = async () => {
  const who = location.pathname.split("/")[1];
  const page = await (await fetch(`/api/page/${who}`)).json();
  await new Promise((go) => setTimeout(go, 250));
  document.title = `${page.name} | Taply`;
  document.head.append(h("style", {}, css));
  document.getElementById("root").replaceChildren(
    h("div", { class: "wrap" }, h("div", { class: "face" }), h("h2", {}, page.name), h("p", {}, page.bio),
      ...page.links.map(row),
      h("div", { class: "by" }, h("a", { href: "/" }, "Make your own Taply"), " · ", h("a", { href: "/legal/privacy" }, "Privacy"))),
  );
};
start();
