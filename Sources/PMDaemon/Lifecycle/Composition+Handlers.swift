import PMAPI
import PMLogs
import PMModel
import PMRouting
import PMSupervisor

extension Composition {
    /// Makes the router pass requests to the daemon itself on to the handlers.
    func addHandlers(of daemon: Daemon) {
        let conditions = Dispatcher.Conditions(
            explainCommand: { [plugins] in plugins.absence(of: $0)?.rpc },
            explainAbsence: { [units, supervisor] name in
                let name = units.fullName(name)
                guard units.find(name) != nil || supervisor.knows(name) else { return nil }
                return .init(APIError(503, "\(name) does not run", hint: "pm start \(name.shellWord)").json)
            },
            isHolderBehind: { [holder] in holder.channel.isBehind },
            isStopping: { [lifecycle] in lifecycle.isStopping },
            onTrouble: { [log] in log.trouble($0) },
            whenCurrent: { [units, requests] body in
                requests.began()
                units.source.whenCurrent {
                    body()
                    requests.finished()
                }
            },
            attribute: { [reactor] in reactor.attribute($0) },
            onRefusal: { [refusals] in refusals.refused($0, from: $1) })
        router.handler = Dispatcher(handlers(of: daemon), conditions)
    }

    private func status(of daemon: Daemon, _ words: FinalOutput) -> StatusHandler {
        StatusHandler(
            .init(
                supervisor: supervisor, units: units,
                memory: UnitMemory(store: store, logs: logs, routes: registry.routes),
                daemon: { [unowned daemon] in daemon.ownStatus($0) }, finalOutput: words, drift: drift,
                workers: WorkerUse(registry: registry, supervisor: supervisor, units: units, reactor: reactor),
                requests: requests, reactor: reactor))
    }

    private func rename(of daemon: Daemon) -> RenameHandler {
        RenameHandler(
            .init(
                supervisor: supervisor, units: units, registry: registry, applying: applying,
                logs: LogDirectory(root: options.state + "/logs"),
                plan: RenamePlan(stateDirectory: options.state, config: options.config), lifecycle: lifecycle,
                replace: { [unowned daemon] () throws(APIError) in try daemon.upgrade() }))
    }

    private var explain: ExplainHandler {
        ExplainHandler(
            supervisor: supervisor, units: units, routing: journaling.routing,
            logs: LogDirectory(root: options.state + "/logs"))
    }

    private func handlers(of daemon: Daemon) -> DaemonHandlers {
        let programs = LogPrograms(options, reactor: reactor)
        let words = FinalOutput(
            programs: programs, routing: journaling.routing, supervisor: supervisor, units: units, reactor: reactor)
        let sources = LogSources(logs: logs, programs: programs, note: journaling.note)
        let version = VersionHandler(options: options)
        return DaemonHandlers(
            requests: requests, units: units,
            start: StartHandler(
                supervisor: supervisor, instances: instances, units: units, ledger: ledger, finalOutput: words),
            stop: StopHandler(supervisor: supervisor, instances: instances, units: units) { [weak daemon] asker, done in
                daemon?.stop(answering: asker, done)
            },
            restart: RestartHandler(
                supervisor: supervisor, instances: instances, units: units, ledger: ledger, finalOutput: words),
            upgrade: UpgradeHandler(
                version: version, holder: holder, initProgram: options.libexec + "/pm-init"
            ) { [unowned daemon] () throws(APIError) in try daemon.upgrade() },
            status: status(of: daemon, words),
            list: ListHandler(units: units), map: MapHandler(units: units, plugins: plugins),
            unmap: UnmapHandler(supervisor: supervisor, units: units, ledger: ledger),
            rename: rename(of: daemon),
            discover: DiscoverHandler(units: units),
            connect: ConnectHandler(units: units, socketURL: options.socketURL, gateway: gateway),
            log: LogHandler(sources: sources, supervisor: supervisor, units: units, requests: requests),
            events: EventsHandler(store: store, reactor: reactor, requests: requests),
            version: version,
            ready: ReadyHandler(
                supervisor: supervisor, router: router, metadataRequests: metadataRequests,
                onTrouble: { [log] in log.trouble($0) }),
            proxy: ProxyHandler(registry: registry, supervisor: supervisor, units: units, bridges: bridges),
            bridge: BridgeHandler(bridges: bridges),
            clientSession: ClientSessionHandler(units: units, rights: .ofMachine { [log] in log.trouble($0) }),
            scale: ScaleHandler(
                instances: instances, units: units, settling: Settling(supervisor: supervisor, finalOutput: words)),
            apply: ApplyHandler(applying: applying, units: units),
            explain: explain, reloadMetadata: ReloadMetadataHandler(registry: registry, units: units),
            plugins: PluginsHandler(plugins: plugins), installed: InstalledHandler(store: store),
            metadata: MetadataHandler(registry: registry, metadataRequests: metadataRequests, plugins: plugins))
    }
}
