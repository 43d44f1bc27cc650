import PMModel
import PMSystem

/// Gives each inspected service a port of its own: Node's usual 9229, or the first one above it that is free.
@PMActor
final class InspectorPorts {
    private static let range: Range<UInt16> = 9229..<9329
    /// Node listens a moment after it was started; until then its port looks free.
    private static let settlingTime = Duration.seconds(10)

    private let clock: any TimeSource
    private var givenAt: [UInt16: MonotonicTime] = [:]

    init(clock: any TimeSource) {
        self.clock = clock
    }

    /// A port that nobody listens on; 0, which lets the system choose, when all are taken.
    func take() -> UInt16 {
        let now = clock.monotonic()
        givenAt = givenAt.filter { now - $0.value < Self.settlingTime }
        guard let port = Self.range.first(where: { givenAt[$0] == nil && InternetSocket.isFree(port: $0) }) else {
            return 0
        }
        givenAt[port] = now
        return port
    }
}
