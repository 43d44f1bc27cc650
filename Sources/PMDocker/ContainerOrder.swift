import PMConfig
import PMModel

/// The daemon's settings of one container, besides its `docker-config.json`.
struct ContainerOrder: Equatable, Sendable {
    /// The unit's name.
    var name: String
    /// The URL of the daemon's socket.
    var owner: String
    /// The folder with pm's JavaScript, which a container with `commands` sees.
    var node: String
    /// Arguments behind the command.
    var arguments: [String] = []
    /// Variables of the container, after those of the file; nil as a value unsets one of the image.
    var environment: [EnvironmentVariable] = []
    /// A user of the image instead of the file's.
    var user: String?
    /// The resources that the container may use.
    var limits = ContainerLimits()
    /// The signal that asks it to end for good.
    var stopSignal: Int32
    /// Time from that signal until the container is killed.
    var killAfter: Duration

    /// The container's name: other daemons on the same engine have other ones for the same unit.
    var containerName: String {
        let plain = name.unicodeScalars.map { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)) ? Character(scalar) : "-"
        }
        return "pm-\(String(plain))-\(Fingerprint(of: owner + "\n" + name).digits)"
    }
}

/// The resources of the machine that a container may use; a nil member is not limited.
struct ContainerLimits: Equatable, Sendable {
    /// Bytes of memory.
    var memory: Int?
    /// Microseconds of processor time in each period of `Limits.cpuPeriod`.
    var cpu: Int?
    /// Processes and threads.
    var pids: Int?
    /// Open files of each process.
    var openFiles: Int?
    /// Added to the container's score when the machine is out of memory.
    var oomScoreAdjust: Int?
}
