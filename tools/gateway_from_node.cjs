// Shows a running gateway to @stoqey/ib, a TWS client that shares nothing with ours.
//
//     npm install @stoqey/ib
//     deadband gateway --port 4002 --start 2026-03-02T10:31
//     node tools/gateway_from_node.cjs 4002
const { IBApi, EventName } = require("@stoqey/ib");
const port = parseInt(process.argv[2]);
const ib = new IBApi({ host: "127.0.0.1", port, clientId: 11 });
const log = (n) => (...a) => console.log(n, JSON.stringify(a));
const aapl = { symbol: "AAPL", secType: "STK", exchange: "SMART", currency: "USD" };
let next;
ib.on(EventName.error, (e, code, id) => console.log("error", code, id, e.message));
ib.on(EventName.server, log("server"));
ib.on(EventName.contractDetails, (r, d) => console.log("details", r, d.contract.conId, d.marketRuleIds, d.liquidHours.slice(0, 40), d.minSize, d.sizeIncrement, d.suggestedSizeIncrement, d.stockType));
ib.on(EventName.openOrder, (id, c, o, s) => console.log("openOrder", id, c.symbol, o.orderType, o.lmtPrice, o.orderRef, o.permId, s.status, o.algoStrategy, JSON.stringify(o.algoParams), s.initMarginChange, s.commission, o.competeAgainstBestOffset, o.autoCancelParent, o.minTradeQty));
ib.on(EventName.orderStatus, (id, st, f, r, avg, perm) => console.log("status", id, st, f, r, avg, perm));
ib.on(EventName.execDetails, (r, c, e) => console.log("exec", r, c.symbol, e.execId, e.shares, e.price, e.permId, e.cumQty, e.orderRef, e.lastLiquidity, JSON.stringify(e.lastLiquidity), e.time));
ib.on(EventName.commissionReport, (c) => console.log("fee", JSON.stringify(c)));
ib.on(EventName.position, (a, c, p, avg) => console.log("position", a, c.symbol, p, avg));
ib.on(EventName.completedOrder, (c, o, s) => console.log("completed", c.symbol, o.orderRef, s.status, s.completedTime, s.completedStatus, o.filledQuantity, o.parentPermId));
ib.on(EventName.completedOrdersEnd, log("completedEnd"));
ib.on(EventName.updatePortfolio, (c, p, m, v) => console.log("portfolio", c.symbol, p, m, v));
ib.on(EventName.accountDownloadEnd, log("acctEnd"));
ib.on(EventName.accountSummary, log("summary"));
ib.on(EventName.marketRule, log("rule"));
ib.on(EventName.historicalData, (r, t, o, h, l, c, v, n, w) => r === 30 && console.log("bar", t, o, h, l, c, v, n, w));
ib.on(EventName.historicalDataUpdate, log("barUpdate"));
const ticks = {}; ib.on(EventName.tickPrice, (r, f, v) => { ticks[f] = v; });
ib.on(EventName.tickByTickBidAsk, (r, t, b, a) => { ticks.bidask = [b, a]; });
ib.on(EventName.pnl, log("pnl"));
ib.once(EventName.nextValidId, (id) => {
  next = id; console.log("nextValidId", id);
  ib.reqContractDetails(1, aapl); ib.reqMarketRule(26);
  ib.reqMktData(2, aapl, "236", false, false); ib.reqTickByTickData(3, aapl, "BidAsk", 0, false);
  ib.placeOrder(next, aapl, { action: "BUY", orderType: "MKT", totalQuantity: 700, orderRef: "mkt", transmit: true, tif: "DAY" });
  ib.placeOrder(next + 1, aapl, { action: "BUY", orderType: "LMT", lmtPrice: 150, totalQuantity: 10, orderRef: "lmt", transmit: true, tif: "DAY", algoStrategy: "Adaptive", algoParams: [{ tag: "adaptivePriority", value: "Normal" }] });
  ib.placeOrder(next + 2, aapl, { action: "BUY", orderType: "MKT", totalQuantity: 100, whatIf: true, transmit: true });
  setTimeout(() => { ib.cancelOrder(next + 1, ""); }, 500);
  setTimeout(() => { ib.reqPositions(); ib.reqAllOpenOrders(); ib.reqCompletedOrders(false); ib.reqExecutions(9, {}); ib.reqAccountUpdates(true, ""); ib.reqAccountSummary(10, "All", "NetLiquidation"); ib.reqPnL(12, "DU1234567", ""); ib.reqHistoricalData(30, aapl, "", "1800 S", "10 mins", "TRADES", 1, 1, false); }, 1000);
  setTimeout(() => { console.log("ticks", JSON.stringify(ticks)); ib.disconnect(); process.exit(0); }, 2500);
});
ib.connect();
setTimeout(() => { console.log("TIMEOUT"); process.exit(1); }, 6000);
