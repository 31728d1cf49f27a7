/**
 * Writes every vector file beside it anew: `node packages/crypto/vectors/make-vectors.ts`.
 *
 * The same input always gives the same files, so a change in what they hold is a change of the wire.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { acceptedText, refusedText, witnessText } from "./document-cases.ts";
import { documentFiles } from "./document-layouts.ts";
import { xxhfsCases } from "./xxhfs-cases.ts";

const xxhfs = {
  origin: "packages/crypto/vectors/make-vectors.ts, with libsodium's deterministic ML-KEM-768",
  protocol_name: "Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256",
  vectors: await xxhfsCases(),
};

write("xxhfs.json", `${JSON.stringify(xxhfs, null, 1)}\n`);
for (const file of documentFiles) write(`documents/${file}.txt`, acceptedText(file));
for (const file of ["receipt", "receipt-2"] as const)
  write(`documents/${file}-witness.txt`, witnessText(file));
write("documents/refused.txt", refusedText());

function write(name: string, content: string): void {
  writeFileSync(new URL(name, import.meta.url), content);
}
