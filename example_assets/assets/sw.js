// Lives at /sw.js whatever the base of the assets is, so that its scope is the whole site.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
