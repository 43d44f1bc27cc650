import PMAPI
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
                return .init(APIError(503, "\(name) does not run", hint: "pm start \(name)").json)
            },
            isHolderBehind: { [holder] in holder.channel.isBehind },
            isStopping: { [lifecycle] in lifecycle.isStopping },
            onTrouble: { [log] in log.trouble($0) },
            attribute: { [reactor] in reactor.attribute($0) })
        router.handler = Dispatcher(handlers(of: daemon), conditions)
    }

    private func handlers(of daemon: Daemon) -> DaemonHandlers {
        let programs = LogPrograms(options, reactor: reactor)
        let words = FinalOutput(
            programs: programs, routing: journaling.routing, supervisor: supervisor, units: units, reactor: reactor)
        let sources = LogSources(logs: logs, programs: programs, note: journaling.note)
        let memory = UnitMemory(deaths: deaths, logs: logs, routes: registry.routes)
        let version = VersionHandler(options: options)
        return DaemonHandlers(
            requests: requests, units: units,
            start: StartHandler(
                supervisor: supervisor, instances: instances, units: units, ledger: ledger,
                finalOutput: words),
            stop: StopHandler(supervisor: supervisor, instances: instances, units: units) { [weak daemon] asker, done in
                daemon?.stop(answering: asker, done)
            },
            restart: RestartHandler(
                supervisor: supervisor, instances: instances, units: units, ledger: ledger, finalOutput: words),
            upgrade: UpgradeHandler(
                version: version, holder: holder, initProgram: options.libexec + "/pm-init"
            ) { [unowned daemon] () throws(APIError) in try daemon.upgrade() },
            status: StatusHandler(
                supervisor: supervisor, units: units, memory: memory, daemon: { [unowned daemon] in daemon.ownStatus },
                finalOutput: words,
                workers: WorkerUse(registry: registry, supervisor: supervisor, units: units, reactor: reactor)),
            list: ListHandler(units: units), map: MapHandler(units: units, plugins: plugins),
            unmap: UnmapHandler(supervisor: supervisor, units: units, ledger: ledger),
            discover: DiscoverHandler(units: units),
            connect: ConnectHandler(units: units, socketURL: options.socketURL, gateway: gateway),
            log: LogHandler(sources: sources, supervisor: supervisor, units: units, requests: requests),
            version: version,
            ready: ReadyHandler(supervisor: supervisor, registry: registry, metadataRequests: metadataRequests),
            proxy: ProxyHandler(registry: registry, supervisor: supervisor, units: units, bridges: bridges),
            bridge: BridgeHandler(bridges: bridges),
            clientSession: ClientSessionHandler(units: units, rights: .ofMachine { [log] in log.trouble($0) }),
            scale: ScaleHandler(instances: instances, units: units),
            reloadMetadata: ReloadMetadataHandler(registry: registry, units: units),
            plugins: PluginsHandler(units: units, plugins: plugins),
            metadata: MetadataHandler(registry: registry, metadataRequests: metadataRequests, plugins: plugins))
    }
}
