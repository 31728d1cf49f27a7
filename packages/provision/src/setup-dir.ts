/** On the server, root's: the bundle, the order and the journal of a set-up. */
export const SETUP_DIR = "/var/lib/phantoma-setup";
