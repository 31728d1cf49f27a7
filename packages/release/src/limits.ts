/**
 * Every limit of the verifier, with its unit and its reason. What is larger is refused before it is read further.
 *
 * @module
 */

/** 64 KiB: 20 keys of 200 bytes, their roles and 20 signatures are 10 KiB. */
export const MAX_ROOT_BYTES = 65_536;
/** 16 KiB: it names one file. */
export const MAX_TIMESTAMP_BYTES = 16_384;
/** 64 KiB: it names one file, and old ones while they are kept. */
export const MAX_SNAPSHOT_BYTES = 65_536;
/** 1 MiB: a release takes 2 KiB, so 500 of them. */
export const MAX_TARGETS_BYTES = 1_048_576;
/** One root a week for five years; beyond it a build is installed by hand. */
export const MAX_ROOT_ROTATIONS = 256;
/** Keys of all roles together: people, and machines for snapshot and timestamp. */
export const MAX_KEYS = 32;
/** 4 GiB: a bundle with a GPU's libraries is 1 GiB. */
export const MAX_ARTIFACT_BYTES = 4_294_967_296;
/** 16 MiB: 2,000 packages at 5 KiB. */
export const MAX_SBOM_BYTES = 16_777_216;
/** 1 MiB: a bundle of Sigstore is 10 KiB; provenance of many files is longer. */
export const MAX_PROVENANCE_BYTES = 1_048_576;
/** One per machine that built it; each costs some milliseconds. */
export const MAX_PROVENANCES = 8;
/** What an update approval has room for: a version that nobody could approve is none. */
export const MAX_VERSION_LETTERS = 32;
/** 256 KiB: the public instance's is 7 KiB. */
export const MAX_TRUSTED_ROOT_BYTES = 262_144;
/** 1 KiB: as many keys as there may be, in hex, are 600 bytes. */
export const MAX_LICENCE_KEYS_BYTES = 1_024;
/** Of licences: one that signs, one that comes next, and the same for a few sellers. */
export const MAX_LICENCE_KEYS = 8;

/** People who must sign a change of keys, whatever the metadata says: no two can. */
export const MIN_ROOT_SIGNERS = 3;
/** People who hold a root key: two may be lost. */
export const MIN_ROOT_PEOPLE = 5;
/** People who must sign a release, whatever the metadata says: no one can alone. */
export const MIN_TARGETS_SIGNERS = 2;
/** People who may sign releases: two may be away. */
export const MIN_TARGETS_PEOPLE = 4;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** How far two honest clocks may be apart. */
export const CLOCK_SKEW_MS = HOUR_MS;
/** The longest that each role may vouch ahead, so that a stolen key's word ends soon. */
export const MAX_LIFE_MS = {
  root: 366 * DAY_MS,
  targets: 90 * DAY_MS,
  snapshot: 7 * DAY_MS,
  timestamp: DAY_MS,
} as const;
