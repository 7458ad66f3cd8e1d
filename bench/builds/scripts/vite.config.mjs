// A production build of what BENCH_PLAN names, with a manifest and without inlining.
const plan = JSON.parse(process.env.BENCH_PLAN);

export default {
  root: plan.folder,
  base: "/static/",
  publicDir: false,
  cacheDir: `${plan.scratch}/vite`,
  logLevel: "error",
  css: {
    preprocessorOptions: {
      scss: { quietDeps: true, loadPaths: [`${plan.folder}/node_modules`], silenceDeprecations: plan.silenced },
    },
  },
  build: {
    outDir: plan.output,
    emptyOutDir: true,
    manifest: true,
    target: "es2020",
    sourcemap: plan.maps,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1e9,
    rollupOptions: { input: plan.entries, preserveEntrySignatures: "strict" },
  },
};
