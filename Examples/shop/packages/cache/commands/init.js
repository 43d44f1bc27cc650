/** @param {{limit?: number}} [config] the `config` of the service's mapping */
export default function init(config) {
  this.limit = config?.limit ?? 1000;
  this.values = new Map();
  console.log(`cache for ${this.limit} values`);
}
