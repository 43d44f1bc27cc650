/** Keeps a value; the oldest one goes when there are too many. */
export default function set(key, value) {
  this.values.set(key, value);
  if (this.values.size > this.limit) this.values.delete(this.values.keys().next().value);
}
