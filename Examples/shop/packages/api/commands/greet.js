/**
 * Greets a customer.
 * @param {string} name
 * @param {{dispatch: Function}} pm
 */
export default async function greet(name, pm) {
  const user = await pm.dispatch('users.get', name);
  const visits = await pm.dispatch('cache.increment', `visits:${user.number}`);
  const times = visits === 1 ? '1 time' : `${visits} times`;
  console.log(`greeted ${user.name}`);
  return `${this.greeting}, ${user.name}! You are customer ${user.number}, seen ${times}.`;
}
