// Called in a page with the URL of the event stream and the state that the page is in (live.py).
// Only a page that is looked at keeps a connection: a browser has six for each host, and one tab may not hold up others.
(url, first) => {
  const shortest = 500; // milliseconds between two attempts to listen: each that fails doubles them
  const longest = 30000;
  let state = first;
  let trouble = "";
  let stream = null;
  let pause = shortest;
  let waiting = 0;
  const replaced = new Map(); // link that still loads → the links that it stands for

  // Of the document and of every open shadow root in it, whose links no query from outside finds (DOM, "Shadow tree").
  const links = (root) => [
    ...root.querySelectorAll('link[rel~="stylesheet" i][href]'),
    ...[...root.querySelectorAll("*")].flatMap((each) => (each.shadowRoot ? links(each.shadowRoot) : [])),
  ];

  const exchange = (styles) => {
    for (const link of links(document)) {
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

  const tell = (now) => {
    if (now === trouble) return; // a page that comes back to the stream has been told
    trouble = now;
    if (trouble) console.error(`assetbuild: ${trouble}`);
    else console.info("assetbuild: compiled again, the error is gone");
  };

  const hear = ({ data }) => {
    const { after, state: now, styles, trouble: told } = JSON.parse(data);
    tell(told);
    if (now === state) return;
    const isNext = after === state;
    state = now;
    if (isNext && styles) exchange(styles);
    else location.reload();
  };

  const hush = () => {
    clearTimeout(waiting);
    stream?.close();
    stream = null;
  };

  const listen = () => {
    if (document.visibilityState === "hidden" || stream !== null) return;
    clearTimeout(waiting);
    stream = new EventSource(url);
    stream.onmessage = hear;
    stream.onopen = () => (pause = shortest);
    stream.onerror = () => {
      hush(); // a browser left to itself would try every few seconds, for ever, and show each attempt in the console
      waiting = setTimeout(listen, pause);
      pause = Math.min(2 * pause, longest);
    };
  };

  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") hush();
    else {
      pause = shortest; // who looks at the page again may just have started the command
      listen();
    }
  });
  listen();
}
