import PMSystem

/// Descriptors that pm-init keeps for the daemon itself, from one to the next.
struct HeldDescriptors {
    /// The socket that an earlier daemon listened at.
    var socket: SharedFD?
    /// The socket on which a service manager listens for us; its file is not ours to remove.
    private(set) var activated: SharedFD?
    /// The socket that the gateway of an earlier daemon connects to.
    var gate: SharedFD?
    /// The ledger of units from an earlier daemon.
    var ledger: SharedFD?
    /// The count of daemons that died at their start.
    var starts: SharedFD?
    /// The connections of a daemon that was upgraded.
    var sessions: SharedFD?

    /// The name under which pm-init keeps the listening socket.
    static let socketName = "socket"
    /// The name under which it keeps the gate.
    static let gateName = "gate"
    /// The name of a service manager's socket, that of its unit.
    private static let activatedName = "pm.socket"

    /// Takes a descriptor by its name; false when it is none of these.
    mutating func restore(_ name: String, _ descriptor: SharedFD) -> Bool {
        switch name {
        case Self.socketName: socket = descriptor
        case Self.activatedName: activated = descriptor
        case Self.gateName: gate = descriptor
        case UnitLedger.name: ledger = descriptor
        case StartCount.name: starts = descriptor
        case SessionHandover.name: sessions = descriptor
        default: return false  // names are texts
        }
        return true
    }
}
