@testable import PMSystem

/// A packet of pm-init as the daemon decodes it. Each input is one packet; no descriptors come with it.
enum InitTarget {
    static func check(_ input: [UInt8]) throws(Finding) {
        let message = input.withUnsafeBytes { InitDecoder($0, []).message() }
        guard let message else { return }
        try require(input.count >= 16, "a message has a whole header")
        switch message {
        case .adopt(let child):
            try require(child.state.count <= input.count && child.held.isEmpty, "state is what came in the packet")
        case .exited(_, let exit): _ = exit.reason
        case .spawnFailed(_, let error), .startFailed(_, let error), .signalFailed(_, let error),
            .reexecFailed(let error):
            try require(!error.description.isEmpty, "an error has a text")
        case .tree(_, let report): try require(report.pids.count <= 8, "a report names at most eight")
        case .greeting, .held, .handedOver, .spawned, .starting, .started, .treeEmpty, .stopRequested, .reexeced: break
        }
    }
}
