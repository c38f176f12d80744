// @ts-check
/** The check digit of an ID number (GB 11643: ISO 7064, MOD 11-2), as a help against slips; the server decides. */

const WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_DIGITS = "10X98765432";

/** @param {string} text */
function plain(text) {
  return text.normalize("NFKC").replace(/[\s-]/g, "").toUpperCase();
}

/**
 * True when as many characters are there as an ID number has.
 * @param {string} text
 */
export function isWholeIdNumber(text) {
  return plain(text).length >= 18;
}

/**
 * @param {string} text
 * @returns {boolean}
 */
export function hasRightCheckDigit(text) {
  const number = plain(text);
  if (!/^\d{17}[\dX]$/.test(number)) return false;
  const sum = WEIGHTS.reduce((total, weight, place) => total + weight * Number(number[place]), 0);
  return number[17] === CHECK_DIGITS[sum % 11];
}
