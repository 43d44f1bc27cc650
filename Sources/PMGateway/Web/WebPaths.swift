import NIOCore
import NIOHTTP1
import PMAPI
import PMModel

/// What the gateway answers at which path.
extension HTTPConnection {
    /// Methods of the gateway's own paths and of `*`; nil for paths of services.
    func ownMethods(_ head: HTTPRequestHead) -> [String]? {
        if head.asksForPlace { return WebAccess.methods }
        switch WebTarget(head.uri)?.path {
        case "/rpc": return ["POST", "OPTIONS"]
        case "/$metadata", "/openapi.json": return ["GET", "HEAD", "OPTIONS"]
        default: return nil  // paths of services
        }
    }

    /// The answer to OPTIONS: which methods a path has, or that a page of another site may use it.
    private func options(_ head: HTTPRequestHead, _ methods: [String]) -> WebAnswer {
        if place.crossOrigin.isPreflight(head) { return preflight(head, methods) }
        return WebAnswer(status: .noContent, headers: ["Allow": methods.joined(separator: ", ")])
    }

    /// The answer to a preflight.
    func preflight(_ head: HTTPRequestHead, _ methods: [String]) -> WebAnswer {
        WebAnswer(status: .noContent, headers: place.crossOrigin.preflightFields(head, methods))
    }

    /// Answers a request that is whole.
    func answer(_ request: Request) throws(Refusal) {
        if request.head.method == .OPTIONS, let methods = ownMethods(request.head) {
            return finish(options(request.head, methods))
        }
        guard let target = request.target else {
            throw Refusal(status: .badRequest, message: "the path is invalid")
        }
        switch (request.head.method, target.path) {
        case (.POST, "/rpc"):
            try place.checkJSON(request.head)
            let exchange = RPCExchange(request.body, batch: place.limits.batch)
            if exchange.isAnswered { finishNotifications(exchange) } else { ask(exchange) }
        case (.GET, "/$metadata"), (.HEAD, "/$metadata"):
            ask(MetadataExchange { metadata, responder in responder.finish(.json(metadata.forConfined.json)) })
        case (.GET, "/openapi.json"), (.HEAD, "/openapi.json"):
            let asksForToken = place.asksForToken
            ask(
                MetadataExchange { metadata, responder in
                    let document = OpenAPI(routes: WebRoutes(metadata).routes, asksForToken: asksForToken).document
                    responder.finish(.json(document))
                })
        case (_, "/rpc"), (_, "/$metadata"), (_, "/openapi.json"):
            throw place.otherMethod(ownMethods(request.head) ?? [])
        default: follow(request, target)  // paths of services
        }
    }

    /// Notifications are sent, and need no answer.
    private func finishNotifications(_ exchange: RPCExchange) {
        guard exchange.request.readableBytes > 0 else { return finish(exchange.answer) }
        withSession { conversation, link in
            link.send(exchange.request)
            conversation.finish(exchange.answer)
        }
    }

    private func follow(_ request: Request, _ target: WebTarget) {
        // What is not there may have come a moment ago.
        if let routes = place.routes.fresh(for: session.rights),
            routes.match(request.head.method.rawValue, target) != .none
        {
            return call(routes, request, target)
        }
        ask(
            MetadataExchange { [weak self] metadata, _ in
                guard let self else { return }
                call(place.routes.keep(metadata, for: session.rights), request, target)
            })
    }

    private func call(_ routes: WebRoutes, _ request: Request, _ target: WebTarget) {
        let methods = routes.methods(of: target)
        if place.crossOrigin.isPreflight(request.head), !methods.isEmpty {
            return finish(preflight(request.head, methods))
        }
        do throws(Refusal) {
            switch routes.match(request.head.method.rawValue, target) {
            case .none:
                throw Refusal(
                    status: .notFound, message: "no command has a route to \(target.path)",
                    hint: "GET /openapi.json shows the routes", endsConnection: false)
            case .stopped(let service):
                throw Refusal(
                    status: .serviceUnavailable, message: "\(target.path) belongs to \(service), which does not run",
                    hint: "pm start \(service.shellWord)", endsConnection: false)
            case .otherMethod(let methods) where request.head.method == .OPTIONS:
                finish(options(request.head, methods))
            case .otherMethod(let methods): throw place.otherMethod(methods)
            case .found(let route, let parameters):
                // The id that the answer has, not one that was refused.
                var headers = request.head.headers
                headers.replaceOrAdd(name: RequestID.field, value: request.id.text)
                let inputs = RouteInputs(
                    route: parameters, query: target.query, headers: headers, body: request.body)
                try call(route, inputs)
            }
        } catch {
            finish(.refusal(error))
        }
    }
}
