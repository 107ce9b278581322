/** Prints docs/config.md, or with the word `sample` sluice.example.yaml: `node dist/config/print-docs.js [sample]`. */
import { renderDocs } from "./render-docs.ts";
import { renderSample } from "./render-sample.ts";

process.stdout.write(process.argv[2] === "sample" ? renderSample() : renderDocs());
