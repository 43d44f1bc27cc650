/** Resolves `@akala/pm`, in the loader thread of a Node that has no synchronous hooks. */

/** Node's `resolve` hook. */
export async function resolve(specifier, context, next) {
  if (specifier !== '@akala/pm') return next(specifier, context);
  try {
    return await next(specifier, context);
  } catch {
    return { url: new URL('../../client/index.mjs', import.meta.url).href, format: 'module', shortCircuit: true };
  }
}
