import PMModel
import PMSystem

/// Gives each inspected service a port of its own: the wanted one (Node's usual 9229 if none is), or the first one above
/// it that is free.
@PMActor
final class InspectorPorts {
    private static let usual: UInt16 = 9229
    /// The number of ports to try.
    private static let count = 100
    /// Node listens a moment after it was started; until then its port looks free.
    private static let settlingTime = Duration.seconds(10)

    private struct Given {
        let unit: String
        let at: MonotonicTime
    }

    private let clock: any TimeSource
    private var given: [UInt16: Given] = [:]

    init(clock: any TimeSource) {
        self.clock = clock
    }

    /// The option for Node; nil for no inspector.
    func option(_ inspection: Inspection, for unit: String) -> String? {
        let wanted = inspection.address
        guard inspection.mode != .none, wanted?.port != 0 else { return inspection.option }
        let address = InspectorAddress(
            host: wanted?.host ?? InspectorAddress.localHost,
            port: reservePort(for: unit, from: wanted?.port ?? Self.usual))
        return Inspection(inspection.mode, at: address).option
    }

    /// A port that nobody listens on; 0, which lets the system choose, when all are taken. The process that a unit had
    /// before has ended, so its port is not taken.
    private func reservePort(for unit: String, from first: UInt16) -> UInt16 {
        let now = clock.monotonic()
        given = given.filter { now - $0.value.at < Self.settlingTime }
        let last = UInt16(clamping: Int(first) + Self.count - 1)
        let found = (first...last).first { port in
            (given[port].map { $0.unit == unit } ?? true) && InternetSocket.isFree(port: port)
        }
        guard let found else { return 0 }
        given[found] = Given(unit: unit, at: now)
        return found
    }
}
