export * from './index.cjs';
export { interact as default } from './index.cjs';
