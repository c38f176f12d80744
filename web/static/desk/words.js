// @ts-check
/**
 * The texts the page was served with.
 *
 * @typedef {{shortcut: string, title: string, text: string}} Canned
 * @typedef {Record<string, string> & {staff: string}} Words
 */

import { element } from "../citizen/lines.js";

export { element, filled, newId } from "../citizen/lines.js";

const given = JSON.parse(element("wording").textContent || "{}");

/** @type {Words} */
export const words = given;

/** @type {Canned[]} */
export const canned = given.canned ?? [];

/** Seconds after which an unanswered line is amber, and red. */
export const grades = { amber: Number(given.amber_s ?? 60), red: Number(given.red_s ?? 180) };
