public import PMModel
import PMSystem

/// The wait for a sign of life of a service for which calls wait.
struct SilenceWatch {
    /// Called with the time since when the service has said nothing.
    let onSilence: @PMActor (MonotonicTime) -> Void
    /// Requests and replies of the service; it wraps around.
    var heard: UInt64 = 0
    /// Armed only while calls wait for the service.
    var timer: TimerID?

    /// Silence is reported while a call waits: at first after this time, then after growing ones.
    var shortest = Duration.seconds(5)
    /// The longest time between two of them: a stream may be open for hours.
    var longest = Duration.seconds(60)
}

// MARK: - Services that say nothing

extension ServiceRouter {
    /// Tells from now on when calls wait for a service and it has said nothing for a while.
    public func watchSilence(of service: Session, _ onSilence: @escaping @PMActor (MonotonicTime) -> Void) {
        endWatch(of: service)
        service.silenceWatch = SilenceWatch(onSilence: onSilence)
        if calls.owed(by: service.id) > 0 { expectSign(of: service) }
    }

    /// A call waits for the service: arms its timer, if that is not armed already.
    func expectSign(of service: Session) {
        guard let watch = service.silenceWatch, watch.timer == nil, !isHandedOver else { return }
        look(at: service, after: watch.shortest)
    }

    func endWatch(of session: Session) {
        if let timer = session.silenceWatch?.timer { reactor.cancel(timer) }
        session.silenceWatch = nil
    }

    private func look(at service: Session, after pause: Duration) {
        let (since, heard) = (reactor.clock.monotonic(), service.silenceWatch?.heard)
        service.silenceWatch?.timer = reactor.after(pause) { [weak self, weak service] in
            guard let self, let service else { return }
            service.silenceWatch?.timer = nil
            // Without a call there is no next look: an idle service and its daemon sleep.
            guard let watch = service.silenceWatch, !isHandedOver, calls.owed(by: service.id) > 0 else { return }
            guard watch.heard == heard else { return look(at: service, after: watch.shortest) }
            watch.onSilence(since)
            look(at: service, after: min(pause * 2, watch.longest))
        }
    }
}
