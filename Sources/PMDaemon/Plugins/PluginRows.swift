import PMAPI
import PMDiscovery
import PMModel
import PMSupervisor

extension PluginStatus {
    /// Takes what the package.json of a plugin says.
    mutating func describe(_ manifest: PluginManifest) {
        version = manifest.version
        commands = manifest.commands
        runtimes = manifest.runtimes.map(\.name)
        probes = manifest.probes
        events = manifest.events
        http = manifest.routes.map(\.text)
    }
}

extension PluginStatus.State {
    /// State of a host.
    init(_ report: UnitReport) {
        switch report.phase {
        case .down: self = .down
        case .starting: self = .starting
        case .up: self = report.isReady ? .ready : .starting
        case .stopping, .sweeping, .stuck: self = .stopping
        case .backingOff, .cooling: self = .backoff
        }
    }
}
