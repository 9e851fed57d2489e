"""Every name on the wire, in one place.

`gen_ai.*`, `error.type` and `server.*` are OpenTelemetry's (semantic conventions v1.41.1, the names
that released instrumentations emit; `LATEST` holds the metric names of the GenAI repository since
2026-10). `otel_stream.*` are ours and follow semantic versioning.
"""

from __future__ import annotations

SCOPE = "otel_stream"
SCHEMA_URL = "https://opentelemetry.io/schemas/1.41.1"

# --- spans: the convention -------------------------------------------------------------------
OPERATION_NAME = "gen_ai.operation.name"
PROVIDER_NAME = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
REQUEST_CHOICE_COUNT = "gen_ai.request.choice.count"
REQUEST_SEED = "gen_ai.request.seed"
REQUEST_TOP_K = "gen_ai.request.top_k"
REQUEST_TOP_P = "gen_ai.request.top_p"
REQUEST_TEMPERATURE = "gen_ai.request.temperature"
REQUEST_FREQUENCY_PENALTY = "gen_ai.request.frequency_penalty"
REQUEST_PRESENCE_PENALTY = "gen_ai.request.presence_penalty"
REQUEST_MAX_TOKENS = "gen_ai.request.max_tokens"
REQUEST_STOP_SEQUENCES = "gen_ai.request.stop_sequences"
REQUEST_PREVIOUS_RESPONSE_ID = "gen_ai.request.previous_response.id"
REQUEST_REASONING_LEVEL = "gen_ai.request.reasoning.level"
OUTPUT_TYPE = "gen_ai.output.type"
PROMPT_NAME = "gen_ai.prompt.name"
PROMPT_VERSION = "gen_ai.prompt.version"
CONVERSATION_ID = "gen_ai.conversation.id"
RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
RESPONSE_FINISH_REASONS = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
USAGE_PREFIX = "gen_ai.usage."
USAGES = (USAGE_PREFIX, "llm.token_count.")
"""How names begin that tokens could be counted from: the convention's, and OpenInference's."""
USAGE_INPUT_TOKENS = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_CREATION = "gen_ai.usage.cache_creation.input_tokens"
USAGE_REASONING = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES = "gen_ai.input.messages"
OUTPUT_MESSAGES = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS = "gen_ai.system_instructions"
TOOL_DEFINITIONS = "gen_ai.tool.definitions"
AGENT_ID = "gen_ai.agent.id"
AGENT_NAME = "gen_ai.agent.name"
TOOL_TYPE = "gen_ai.tool.type"
TOOL_CALL_ARGUMENTS = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT = "gen_ai.tool.call.result"
TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 - an attribute's name
ERROR_TYPE = "error.type"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
MESSAGING_SYSTEM = "messaging.system"
MESSAGING_OPERATION_NAME = "messaging.operation.name"
MESSAGING_OPERATION_TYPE = "messaging.operation.type"
MESSAGING_MESSAGE_ID = "messaging.message.id"
MESSAGING_BODY_SIZE = "messaging.message.body.size"
HTTP_STATUS_CODE = "http.response.status_code"
SERVICE_NAME = "service.name"
SESSION_ID = "session.id"
USER_ID = "user.id"
EXCEPTION_EVENT = "exception"
EXCEPTION_TYPE = "exception.type"
EXCEPTION_MESSAGE = "exception.message"
EXCEPTION_STACKTRACE = "exception.stacktrace"
OPERATION_DETAILS_EVENT = "gen_ai.client.inference.operation.details"

# The convention's page for OpenAI, and the request ids by the names that the SDKs use themselves.
OPENAI_API_TYPE = "openai.api.type"
OPENAI_REQUEST_SERVICE_TIER = "openai.request.service_tier"
OPENAI_RESPONSE_SERVICE_TIER = "openai.response.service_tier"
OPENAI_RESPONSE_SYSTEM_FINGERPRINT = "openai.response.system_fingerprint"
OPENAI_REQUEST_ID = "openai.request.id"
ANTHROPIC_REQUEST_ID = "anthropic.request.id"

# OpenInference: on its spans of a model's call, beside which ours would be a second one.
OPENINFERENCE_KIND = "openinference.span.kind"
OPENINFERENCE_MODEL = "llm.model_name"

# --- spans: ours -----------------------------------------------------------------------------
OUTCOME = "otel_stream.outcome"
PARTIAL = "otel_stream.partial"
CONTENT_TRUNCATED = "otel_stream.content.truncated"
CONTENT_SIZE = "otel_stream.content.size"
CHUNK_COUNT = "otel_stream.chunk.count"
TIME_TO_HEADERS = "otel_stream.time_to_headers"
TIME_TO_FIRST_TOKEN = "otel_stream.time_to_first_token"  # noqa: S105 - an attribute's name
TIME_TO_FIRST_TEXT = "otel_stream.time_to_first_text"
TIME_TO_FIRST_REASONING = "otel_stream.time_to_first_reasoning"
TIME_TO_FIRST_TOOL_CALL = "otel_stream.time_to_first_tool_call"
RETRIES = "otel_stream.retries"
PROVIDER_WAIT = "otel_stream.provider_wait"
CONSUMER_TIME = "otel_stream.consumer_time"
GAP_P50 = "otel_stream.chunk.gap.p50"
GAP_P95 = "otel_stream.chunk.gap.p95"
GAP_MAX = "otel_stream.chunk.gap.max"
STALL_COUNT = "otel_stream.stall.count"
STALL_DURATION = "otel_stream.stall.duration"
USAGE_SOURCE = "otel_stream.usage.source"
OUTPUT_TOKENS_PER_SECOND = "otel_stream.output_tokens_per_second"
COST_TOTAL = "otel_stream.cost.total"
SAMPLING_ADJUSTED_COUNT = "otel_stream.sampling.adjusted_count"
SAMPLING_SHARE = "otel_stream.sampling.share"
EVENTS_DROPPED = "otel_stream.events.dropped"
ERROR_STAGE = "otel_stream.error.stage"
CONFIG_PREFIX = "otel_stream.config."
CONSUMER_LAG = "otel_stream.consumer.lag"
RUN_ID = "otel_stream.run.id"
RUN_KIND = "otel_stream.run.kind"
RUN_PAUSED = "otel_stream.run.paused"
REPORTED_INPUT_TOKENS = "otel_stream.reported.input_tokens"
REPORTED_OUTPUT_TOKENS = "otel_stream.reported.output_tokens"
REPORTED_TOTAL_TOKENS = "otel_stream.reported.total_tokens"
REPORTED_DURATION = "otel_stream.reported.duration"
REPORTED_TIME_TO_FIRST_TOKEN = "otel_stream.reported.time_to_first_token"  # noqa: S105 - a name
CHANNEL_INSTANCE = "otel_stream.channel.instance"
CHANNEL_MESSAGE_TYPE = "otel_stream.channel.message_type"
CHANNEL_SENDER = "otel_stream.channel.sender"

# Delivery: on the span of a send, and on the span of the turn that it belongs to.
DELIVERY_KIND = "otel_stream.delivery.kind"
DELIVERY_PART = "otel_stream.delivery.part"
DELIVERY_ATTEMPTS = "otel_stream.delivery.attempts"
DELIVERY_QUEUE_WAIT = "otel_stream.delivery.queue_wait"
DELIVERY_TYPING_TIME = "otel_stream.delivery.typing_time"
DELIVERY_STATUS = "otel_stream.delivery.status"
DELIVERY_RECIPIENT = "otel_stream.delivery.recipient"
DELIVERY_TIME_TO_FIRST_MESSAGE = "otel_stream.delivery.time_to_first_message"
DELIVERY_TIME_TO_LAST_MESSAGE = "otel_stream.delivery.time_to_last_message"
DELIVERY_MESSAGES = "otel_stream.delivery.messages"
DELIVERY_FAILED = "otel_stream.delivery.failed"
DELIVERY_SHARE = "otel_stream.delivery.share"
DELIVERY_LOST = "otel_stream.delivery.lost"
DELIVERY_BACK_PRESSURE = "otel_stream.delivery.back_pressure"

# --- span events: ours -----------------------------------------------------------------------
EVENT_FIRST_TOKEN = "otel_stream.first_token"  # noqa: S105 - an event's name
EVENT_CHUNK = "otel_stream.chunk"
EVENT_STALL = "otel_stream.stall"
EVENT_TOOL_CALL = "otel_stream.tool_call"
EVENT_COMPLETE = "otel_stream.complete"
EVENT_INTERRUPTED = "otel_stream.interrupted"
EVENT_ERROR = "otel_stream.error"
ELAPSED = "otel_stream.elapsed"
CHUNK_INDEX = "otel_stream.chunk.index"
CHUNK_SIZE = "otel_stream.chunk.size"
CHUNK_KIND = "otel_stream.chunk.kind"
GAP = "otel_stream.gap"

# --- metrics ---------------------------------------------------------------------------------
RELEASED = {
    "duration": "gen_ai.client.operation.duration",
    "token_usage": "gen_ai.client.token.usage",
    "time_to_first_chunk": "gen_ai.client.operation.time_to_first_chunk",
    "time_per_output_chunk": "gen_ai.client.operation.time_per_output_chunk",
}
LATEST = {
    "duration": "gen_ai.client.inference.duration",
    "input_tokens": "gen_ai.client.inference.operation.input_tokens",
    "output_tokens": "gen_ai.client.inference.operation.output_tokens",
    "time_to_first_chunk": "gen_ai.client.inference.time_to_first_chunk",
    "time_per_output_chunk": "gen_ai.client.inference.time_per_output_chunk",
}
METRIC_TIME_TO_FIRST_TOKEN = "otel_stream.time_to_first_token"  # noqa: S105 - a metric's name
METRIC_TIME_TO_FIRST_TEXT = "otel_stream.time_to_first_text"
METRIC_STREAMS = "otel_stream.streams"
METRIC_STREAMS_ACTIVE = "otel_stream.streams.active"
METRIC_STALLS = "otel_stream.stalls"
METRIC_OUTPUT_TOKENS_PER_SECOND = "otel_stream.output_tokens_per_second"
METRIC_EVENTS_DROPPED = "otel_stream.events.dropped"
DROP_REASON = "otel_stream.drop.reason"
# Cost: dashboards and rules know the name; what fills it stands elsewhere.
METRIC_COST = "otel_stream.cost"
METRIC_DELIVERY_TIME_TO_FIRST_MESSAGE = "otel_stream.delivery.time_to_first_message"
METRIC_DELIVERY_TIME_TO_LAST_MESSAGE = "otel_stream.delivery.time_to_last_message"
METRIC_DELIVERY_MESSAGES = "otel_stream.delivery.messages"
METRIC_DELIVERY_LATENCY = "otel_stream.delivery.latency"
METRIC_DELIVERY_QUEUE_WAIT = "otel_stream.delivery.queue_wait"
METRIC_MESSAGING_DURATION = "messaging.client.operation.duration"
METRIC_MESSAGING_SENT = "messaging.client.sent.messages"

# The convention's advised buckets (s, tokens). Most gaps between chunks are under 10 ms, where the
# first bucket of the convention begins, so three finer ones stand in front for that metric.
DURATION_BUCKETS = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
CHUNK_BUCKETS = (0.001, 0.002, 0.005, *DURATION_BUCKETS)
TOKEN_BUCKETS = (
    1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
)  # fmt: skip
# The convention's for messaging; and for what a person waits for, up to an hour.
MESSAGING_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
DELIVERY_BUCKETS = (
    0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 20, 30, 60, 120, 300, 900, 3600,
)  # fmt: skip
RATE_BUCKETS = (1, 2, 5, 10, 20, 40, 60, 80, 100, 150, 200, 300, 500, 1000, 2000)

INFERENCE_OPERATIONS = frozenset({"chat", "text_completion", "generate_content"})
