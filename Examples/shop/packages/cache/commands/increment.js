/** Adds one to the number of a key, and answers it. */
export default function increment(key) {
  const value = (this.values.get(key) ?? 0) + 1;
  this.values.set(key, value);
  return value;
}
