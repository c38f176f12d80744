// @ts-check
/** Times as people in China read them, whatever zone the device is set to. */

const ZONE = "Asia/Shanghai";
const DAY_MS = 24 * 60 * 60 * 1000;
const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, hour: "2-digit", minute: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, month: "long", day: "numeric" });
const fullDay = new Intl.DateTimeFormat("zh-CN", { timeZone: ZONE, year: "numeric", month: "long", day: "numeric" });

/**
 * "14:05" today, then with 昨天, the day, or the day and the year. Empty for what is no time.
 * @param {string} at ISO 8601
 * @param {string} yesterday
 * @returns {string}
 */
export function timeShown(at, yesterday) {
  const moment = new Date(at);
  if (Number.isNaN(moment.getTime())) return "";
  const now = new Date();
  const name = fullDay.format(moment);
  if (name === fullDay.format(now)) return clock.format(moment);
  if (name === fullDay.format(new Date(now.getTime() - DAY_MS))) return `${yesterday} ${clock.format(moment)}`;
  const isThisYear = name.slice(0, 4) === fullDay.format(now).slice(0, 4);
  return `${(isThisYear ? day : fullDay).format(moment)} ${clock.format(moment)}`;
}
