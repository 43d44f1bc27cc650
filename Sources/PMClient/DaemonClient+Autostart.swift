import Glibc
public import PMAPI
import PMModel

extension DaemonClient {
    /// The services that the daemon wants to run and that are not ready, without those whose start is under way.
    ///
    /// - Parameter limit: how long to wait for the end of those starts.
    public func unstarted(within limit: Duration) throws(ClientError) -> [UnitStatus] {
        let deadline = Deadline(limit)
        var pause: Int32 = 5
        while true {
            let rows = try call(Status(name: nil))
            guard rows.contains(where: \.isUnderWay), deadline.milliseconds > 0 else {
                return rows.filter { $0.isWanted && !$0.isReady && !$0.isUnderWay }
            }
            // The status is no stream: it says only what is true now.
            poll(nil, 0, min(pause, deadline.milliseconds))
            pause = min(2 * pause, 250)
        }
    }
}

extension UnitStatus {
    fileprivate var isWanted: Bool { wanted == Desired.up.rawValue }

    /// True while it may become ready without another try.
    fileprivate var isUnderWay: Bool {
        guard isWanted, !isReady, type != "self" else { return false }
        switch ServiceState(rawValue: state) {
        case .starting, .up, .stopping: return true
        case .waiting: return waiting == nil
        case .down, .backoff, .cooling, nil: return false
        }
    }
}
