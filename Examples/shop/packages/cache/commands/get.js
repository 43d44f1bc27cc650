/** The value of a key, or nothing. */
export default function get(key) {
  return this.values.get(key);
}
