import PMAPI
import PMRouting
import PMSystem

/// The handler of each method of the daemon.
@PMActor
struct DaemonHandlers {
    let requests: OpenRequests
    /// The services of the configuration.
    let units: UnitResolver
    let start: StartHandler
    let stop: StopHandler
    let restart: RestartHandler
    let upgrade: UpgradeHandler
    let status: StatusHandler
    let list: ListHandler
    let map: MapHandler
    let unmap: UnmapHandler
    let discover: DiscoverHandler
    let connect: ConnectHandler
    let log: LogHandler
    let version: VersionHandler
    let name = NameHandler()
    let ready: ReadyHandler
    let proxy: ProxyHandler
    let bridge: BridgeHandler
    let confine = ConfineHandler()
    let clientSession: ClientSessionHandler
    let scale: ScaleHandler
    let reloadMetadata: ReloadMetadataHandler
    let plugins: PluginsHandler
    let metadata: MetadataHandler
}

extension DaemonHandlers: MethodAnswering {
    /// A method without a handler does not compile.
    func answer(_ method: Method, _ given: Parameters, _ call: Responder) {
        let parameters = method.servicePlace.map { given.renamingServices(at: $0, units.currentName) } ?? given
        switch method {
        case .start: begin(start, parameters, call)
        case .stop: begin(stop, parameters, call)
        case .restart: begin(restart, parameters, call)
        case .upgrade: begin(upgrade, parameters, call)
        case .status: begin(status, parameters, call)
        case .list: answer(list, parameters, call)
        case .map: begin(map, parameters, call)
        case .unmap: begin(unmap, parameters, call)
        case .discover: begin(discover, parameters, call)
        case .connect: begin(connect, parameters, call)
        case .log: log.answer(parameters, call)
        case .version: answer(version, parameters, call)
        case .name: answer(name, parameters, call)
        case .ready: begin(ready, parameters, call)
        case .proxy: proxy.answer(parameters, call)
        case .bridge: bridge.answer(parameters, call)
        case .confine: answer(confine, parameters, call)
        case .clientSession: answer(clientSession, parameters, call)
        case .scale: begin(scale, parameters, call)
        case .reloadMetadata: begin(reloadMetadata, parameters, call)
        case .plugins: answer(plugins, parameters, call)
        case .metadata: begin(metadata, parameters, call)
        }
    }

    private func answer<H: Handler>(_ handler: H, _ parameters: Parameters, _ call: Responder) {
        do throws(APIError) {
            call.succeed(try handler.handle(try H.Request(parameters), from: call.session).json)
        } catch {
            call.fail(error.rpc)
        }
    }

    private func begin<H: AsyncHandler>(_ handler: H, _ parameters: Parameters, _ call: Responder) {
        requests.began()
        let answer: Answering<H.Request.Answer> = { [requests] result in
            switch result {
            case .success(let answer): call.succeed(answer.json)
            case .failure(let error): call.fail(error.rpc)
            }
            requests.finished()
        }
        do throws(APIError) {
            try handler.begin(try H.Request(parameters), from: call.session, answer)
        } catch {
            answer(.failure(error))
        }
    }
}
