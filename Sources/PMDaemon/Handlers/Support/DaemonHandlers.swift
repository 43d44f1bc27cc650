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
    let rename: RenameHandler
    let discover: DiscoverHandler
    let connect: ConnectHandler
    let log: LogHandler
    let events: EventsHandler
    let version: VersionHandler
    let name = NameHandler()
    let ready: ReadyHandler
    let proxy: ProxyHandler
    let bridge: BridgeHandler
    let confine = ConfineHandler()
    let clientSession: ClientSessionHandler
    let scale: ScaleHandler
    let apply: ApplyHandler
    let explain: ExplainHandler
    let reloadMetadata: ReloadMetadataHandler
    let plugins: PluginsHandler
    let installed: InstalledHandler
    let metadata: MetadataHandler
}

extension DaemonHandlers: MethodAnswering {
    /// A method without a handler does not compile.
    func answer(_ method: Method, _ given: Parameters, _ call: Responder) {
        let parameters = method.servicePlace.map { given.renamingServices(at: $0, units.fullName) } ?? given
        if let refusal = rename.refusal(of: method) { return call.fail(refusal.rpc) }
        switch method {
        case .start: handle(start, parameters, call)
        case .stop: handle(stop, parameters, call)
        case .restart: handle(restart, parameters, call)
        case .upgrade: handle(upgrade, parameters, call)
        case .status: status.answer(parameters, call)
        case .list: answer(list, parameters, call)
        case .map: handle(map, parameters, call)
        case .unmap: handle(unmap, parameters, call)
        case .rename: handle(rename, parameters, call)
        case .discover: handle(discover, parameters, call)
        case .connect: handle(connect, parameters, call)
        case .log: log.answer(parameters, call)
        case .events: events.answer(parameters, call)
        case .version: answer(version, parameters, call)
        case .name: answer(name, parameters, call)
        case .ready: handle(ready, parameters, call)
        case .proxy: proxy.answer(parameters, call)
        case .bridge: bridge.answer(parameters, call)
        case .confine: answer(confine, parameters, call)
        case .clientSession: answer(clientSession, parameters, call)
        case .scale: handle(scale, parameters, call)
        case .apply: handle(apply, parameters, call)
        case .explain: handle(explain, parameters, call)
        case .reloadMetadata: handle(reloadMetadata, parameters, call)
        case .plugins: answer(plugins, parameters, call)
        case .installed: answer(installed, parameters, call)
        case .metadata: handle(metadata, parameters, call)
        }
    }

    private func answer<H: Handler>(_ handler: H, _ parameters: Parameters, _ call: Responder) {
        do throws(APIError) {
            call.succeed(try handler.handle(try H.Request(parameters), from: call.session).json)
        } catch {
            call.fail(error.rpc)
        }
    }

    private func handle<H: AsyncHandler>(_ handler: H, _ parameters: Parameters, _ call: Responder) {
        requests.began()
        let answer: Answering<H.Request.Answer> = { [requests] result in
            switch result {
            case .success(let answer): call.succeed(answer.json)
            case .failure(let error): call.fail(error.rpc)
            }
            requests.finished()
        }
        do throws(APIError) {
            try handler.handle(try H.Request(parameters), from: call.session, answer)
        } catch {
            answer(.failure(error))
        }
    }
}
