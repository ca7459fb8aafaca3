/*
 * drive CLIENT METHOD URL N: N logical requests at once, each with the client's own defaults. What comes of them is for others to
 * judge. CLIENT_MODULES is the folder whose node_modules has the clients.
 */
import { createRequire } from 'node:module';

const [client, method, url, count] = process.argv.slice(2);
const require = createRequire(process.env.CLIENT_MODULES + '/');
const load = (name) => import(require.resolve(name));
const text = JSON.stringify({ amount: 1 });
const post = method === 'POST' ? { body: text, headers: { 'content-type': 'application/json' } } : {};

function axios(options) {
	const instance = require('axios').create();

	require('axios-retry').default(instance, options);
	return () => instance.request({ url, method, data: post.body, headers: post.headers });
}

const clients = {
	async fetch() {
		return () => fetch(url, { method, ...post }).then((r) => r.text());
	},
	async got() {
		const { default: got } = await load('got');

		return () => got(url, { method, ...post });
	},
	async 'axios-retry'() {
		return axios({});
	},
	async 'axios-retry exponential'() {
		return axios({ retryDelay: require('axios-retry').exponentialDelay });
	},
	async ky() {
		const { default: ky } = await load('ky');

		return () => ky(url, { method, ...post }).text();
	},
	async undici() {
		const { RetryAgent, Agent, request } = require('undici');
		const dispatcher = new RetryAgent(new Agent());

		return () => request(url, { method, dispatcher, ...post }).then((r) => r.body.text());
	},
	async 'p-retry'() {
		const { default: pRetry } = await load('p-retry');

		return () => pRetry(async () => {
			const r = await fetch(url, { method, ...post });

			await r.text();
			if (r.status >= 500)
				throw new Error(r.status);
		}, { retries: 3 });
	},
	async openai() {
		const OpenAI = require('openai').default;
		const c = new OpenAI({ apiKey: 'k', baseURL: url });

		return () => method === 'GET' ? c.models.list() : c.chat.completions.create({ model: 'm', messages: [] });
	},
	async anthropic() {
		const Anthropic = require('@anthropic-ai/sdk').default;
		const c = new Anthropic({ apiKey: 'k', baseURL: url });

		return () => c.messages.create({ model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'x' }] });
	},
	async stripe() {
		const Stripe = require('stripe');
		const u = new URL(url);
		const c = new (Stripe.default ?? Stripe)('sk_test_x', { host: u.hostname, port: u.port, protocol: 'http' });

		return () => method === 'GET' ? c.customers.list() : c.customers.create({ name: 'x' });
	},
	async aws() {
		const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs');
		const c = new SQSClient({ region: 'us-east-1', endpoint: url, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });

		return () => c.send(new SendMessageCommand({ QueueUrl: url + '/q', MessageBody: 'x' }));
	},
};
const request = await clients[client]();

await Promise.allSettled(Array.from({ length: Number(count) }, () => request()));
process.exit(0);
