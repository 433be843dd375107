# Queues of Command Worker on Amazon SQS, and the least rights of its three parts; docs/how-to/sqs.md explains them.
# With the queues made here, run the service with --no-setup: it needs no right to create any.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "prefix" {
  description = "As transports.sqs.prefix."
  type        = string
  default     = ""
}

variable "queues" {
  description = "Names of queues as `worker debug messages` shows them; true for types with a key."
  type        = map(bool)
  default     = { "shop-place-order" = true, "shop-send-receipt" = false }
}

variable "lease" {
  description = "As transports.sqs.lease, seconds."
  type        = number
  default     = 60
}

locals {
  longest_retention = 1209600 # 14 days, the most that SQS keeps
}

resource "aws_sqs_queue" "failed" {
  for_each                  = var.queues
  name                      = "${var.prefix}${each.key}-failed${each.value ? ".fifo" : ""}"
  fifo_queue                = each.value
  message_retention_seconds = local.longest_retention
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "queue" {
  for_each                   = var.queues
  name                       = "${var.prefix}${each.key}${each.value ? ".fifo" : ""}"
  fifo_queue                 = each.value
  deduplication_scope        = each.value ? "messageGroup" : null
  fifo_throughput_limit      = each.value ? "perMessageGroupId" : null
  visibility_timeout_seconds = var.lease
  receive_wait_time_seconds  = 20
  message_retention_seconds  = local.longest_retention
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.failed[each.key].arn
    maxReceiveCount     = 1000 # pauses and give-backs count as receipts
  })
}

data "aws_iam_policy_document" "intake" {
  statement {
    actions   = ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"]
    resources = [for queue in aws_sqs_queue.queue : queue.arn]
  }
}

data "aws_iam_policy_document" "worker" {
  statement {
    actions = [
      "sqs:ChangeMessageVisibility",
      "sqs:DeleteMessage",
      "sqs:GetQueueAttributes",
      "sqs:GetQueueUrl",
      "sqs:ReceiveMessage",
      "sqs:SendMessage",
    ]
    resources = [for queue in aws_sqs_queue.queue : queue.arn]
  }
}

resource "aws_iam_policy" "intake" {
  name   = "${var.prefix}command-worker-intake"
  policy = data.aws_iam_policy_document.intake.json
}

resource "aws_iam_policy" "worker" {
  name   = "${var.prefix}command-worker-worker"
  policy = data.aws_iam_policy_document.worker.json
}
