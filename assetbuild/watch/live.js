// Called in a page with the URL of the event stream and the state that the page is in (live.py).
// Only a page that is looked at keeps a connection: a browser has six for each host, and one tab may not hold up others.
(url, first) => {
  let state = first;
  let stream = null;
  const replaced = new Map(); // link that still loads → the links that it stands for

  const exchange = (styles) => {
    for (const link of document.querySelectorAll('link[rel~="stylesheet" i][href]')) {
      const target = new URL(link.href);
      const old = Object.keys(styles).find((path) => target.pathname.endsWith(`/${path}`));
      if (old === undefined) continue;
      const { path, integrity } = styles[old];
      target.pathname = target.pathname.slice(0, -old.length) + path;
      const next = link.cloneNode();
      next.href = target.href;
      if (link.integrity) next.integrity = integrity;
      replaced.set(next, [link, ...(replaced.get(link) ?? [])]);
      next.addEventListener("load", () => {
        for (const each of replaced.get(next) ?? []) each.remove(); // not before: a page without styles would flash
        replaced.delete(next);
      });
      next.addEventListener("error", () => location.reload());
      link.after(next);
    }
  };

  const hear = ({ data }) => {
    const { after, state: now, styles, trouble } = JSON.parse(data);
    if (trouble) console.error(`assetbuild: ${trouble}`);
    if (now === state) return;
    const isNext = after === state;
    state = now;
    if (isNext && styles) exchange(styles);
    else location.reload();
  };

  const listen = () => {
    if (document.visibilityState === "hidden" || stream !== null) return;
    stream = new EventSource(url);
    stream.onmessage = hear;
    stream.onerror = () => {
      if (stream?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      stream = null;
      setTimeout(listen, 1000);
    };
  };

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") {
      stream?.close();
      stream = null;
    } else listen();
  });
  listen();
}
