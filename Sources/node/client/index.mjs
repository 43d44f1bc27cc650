/** ES module entry. The code is CommonJS, so that both kinds of importers share one `InteractError`. */
import client from './index.cjs';

export const {
  connect, connectByPreference, Container, defaultOrders, getRandomName, interact, InteractError, meta, pool, RemoteContainer, sidecar, sidecarSingleton,
} = client;
export default client.interact;
