/**
 * What is shown of a window, in this order.
 *
 * @module
 */
export const parts = ["arrives", "refused", "early", "terminal", "deadline", "orders"] as const;
export type Part = (typeof parts)[number];
