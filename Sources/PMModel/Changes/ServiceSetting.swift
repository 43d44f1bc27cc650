/// A setting of a service, by its key in the configuration. A change is shown by this name.
public enum ServiceSetting: String, CaseIterable, Sendable {
    /// `path` of the container.
    case path
    /// `type` of the container.
    case type
    /// `commandable` of the container.
    case commandable
    /// `stateless` of the container.
    case stateless
    /// `host` of the container.
    case host
    /// `dependencies` of the container or of the mapping.
    case dependencies
    /// `container`.
    case container
    /// `cwd`.
    case cwd
    /// `cli`.
    case cli
    /// `config`.
    case config
    /// `autostart`.
    case autostart
    /// `connect`.
    case connect
    /// `instances`.
    case instances
    /// `pool`.
    case pool
    /// `isolated`.
    case isolated
    /// `heartbeat`.
    case heartbeat
    /// `env`.
    case env
    /// `envFiles`.
    case envFiles
    /// `restart`.
    case restart
    /// `stop`.
    case stop
    /// `drain`.
    case drain
    /// `callTimeout`.
    case callTimeout
    /// `ready`, without its deadline.
    case ready
    /// `ready.deadline`.
    case readyDeadline = "ready.deadline"
    /// `live`.
    case live
    /// `on`.
    case hooks = "on"
    /// `logs`.
    case logs
    /// `limits.memory`.
    case memory = "limits.memory"
    /// `limits.memoryHigh`.
    case memoryHigh = "limits.memoryHigh"
    /// `limits.cpu`.
    case cpu = "limits.cpu"
    /// `limits.pids`.
    case pids = "limits.pids"
    /// `limits.io`.
    case io = "limits.io"
    /// `limits.nofile`.
    case openFiles = "limits.nofile"
    /// `limits.nice`.
    case nice = "limits.nice"
    /// `limits.oomScoreAdjust`.
    case oomScoreAdjust = "limits.oomScoreAdjust"
    /// `user`.
    case user
    /// `group`.
    case group
    /// `umask`.
    case umask
    /// `sandbox`.
    case sandbox
    /// `listen`.
    case listen
    /// `routes`.
    case routes
    /// `apply`, which only the daemon itself has.
    case apply
}

extension ServiceSetting {
    /// True for what a process gets at its start: a daemon that takes it over cannot see it.
    public var isOfProcess: Bool {
        switch self {
        case .path, .type, .commandable, .host, .cwd, .cli, .config, .connect, .pool, .isolated, .heartbeat, .env,
            .envFiles, .logs, .memory, .memoryHigh, .cpu, .pids, .io, .openFiles, .nice, .oomScoreAdjust, .user, .group,
            .umask, .sandbox, .listen:
            true
        case .stateless, .dependencies, .container, .autostart, .instances, .restart, .stop, .drain, .callTimeout,
            .ready, .readyDeadline, .live, .hooks, .routes, .apply:
            false
        }
    }
}

/// Effect of a changed setting on a service that runs.
public enum SettingEffect: Equatable, Sendable {
    /// Nothing: the daemon reads it from the configuration at each use, or what it names is compared by itself.
    case none
    /// The process runs on, and the setting holds from now on.
    case live
    /// The process has the earlier value until it is started again.
    case restart
}

/// A setting whose value in the configuration is another one than that of what runs.
public struct SettingChange: Equatable, Sendable {
    /// The setting.
    public var setting: ServiceSetting
    /// Effect of the change.
    public var effect: SettingEffect

    /// Names a change.
    public init(_ setting: ServiceSetting, _ effect: SettingEffect) {
        (self.setting, self.effect) = (setting, effect)
    }
}
