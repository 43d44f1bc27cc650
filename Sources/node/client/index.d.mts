export { InteractError, interact, getRandomName } from './index.cjs';
