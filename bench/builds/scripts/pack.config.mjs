// One configuration for rspack and webpack, which BENCH_PLAN names: SWC for TypeScript, lightningcss and SWC to minify.
import { createRequire } from "node:module";

const plan = JSON.parse(process.env.BENCH_PLAN);
const load = createRequire(`${plan.modules}/package.json`);
const isRspack = plan.tool === "rspack";
const pack = isRspack ? (await import(load.resolve("@rspack/core"))) : load("webpack");
const Extract = isRspack ? pack.CssExtractRspackPlugin : load("mini-css-extract-plugin");

const minimizer = isRspack
  ? [new pack.SwcJsMinimizerRspackPlugin(), new pack.LightningCssMinimizerRspackPlugin()]
  : [
      new (load("terser-webpack-plugin"))({ minify: load("terser-webpack-plugin").swcMinify }),
      new (load("css-minimizer-webpack-plugin"))({ minify: load("css-minimizer-webpack-plugin").lightningCssMinify }),
    ];
const sass = {
  api: "modern-compiler",
  implementation: load("sass-embedded"),
  sassOptions: { quietDeps: true, loadPaths: ["node_modules"], silenceDeprecations: plan.silenced },
};
const swc = { jsc: { target: "es2020", parser: { syntax: "typescript", tsx: true }, transform: { react: { runtime: "automatic" } } } };

export default {
  mode: "production",
  devtool: plan.maps ? "source-map" : false,
  context: plan.folder,
  entry: plan.entries,
  performance: false,
  stats: "errors-only",
  target: ["web", "es2020"],
  resolve: { extensions: [".tsx", ".ts", ".js"] },
  resolveLoader: { modules: [plan.modules] },
  cache: isRspack ? false : { type: "filesystem", cacheDirectory: `${plan.scratch}/webpack` },
  output: {
    path: plan.output,
    filename: "[name]-[contenthash].js",
    assetModuleFilename: "a/[name]-[contenthash][ext]",
    publicPath: "/static/",
    library: { name: "BENCH", type: "var" },
  },
  module: {
    rules: [
      { test: /\.tsx?$/, use: { loader: isRspack ? "builtin:swc-loader" : load.resolve("swc-loader"), options: swc } },
      { test: /\.(svg|png|woff2)$/, type: "asset/resource" },
      { test: /\.s?css$/, type: "javascript/auto", use: [Extract.loader, { loader: "css-loader", options: { sourceMap: false } }] },
      { test: /\.scss$/, use: [{ loader: "sass-loader", options: sass }] },
    ],
  },
  optimization: { minimizer },
  plugins: [new Extract({ filename: "[name]-[contenthash].css" })],
};
