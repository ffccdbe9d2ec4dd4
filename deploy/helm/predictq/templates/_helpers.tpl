{{- define "predictq.name" -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "predictq.labels" -}}
app.kubernetes.io/name: predictq
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* What selects the pods of a part: (list . "api"). */}}
{{- define "predictq.selector" -}}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "predictq.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- end }}

{{- define "predictq.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "predictq.user" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* One replica a node and zone where that is possible. */}}
{{- define "predictq.spread" -}}
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector: {matchLabels: { {{- include "predictq.selector" $ | fromYaml | toJson | trimPrefix "{" | trimSuffix "}" -}} }}
{{- end }}
{{- end }}

{{/* A Deployment of our own images: (dict "root" . "part" "worker" "image" … "command" … …). */}}
{{- define "predictq.deployment" -}}
{{- $ := .root }}
{{- $values := index $.Values .part }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "predictq.name" $ }}-{{ .part }}
  labels: {{- include "predictq.labels" $ | nindent 4 }}
    app.kubernetes.io/component: {{ .part }}
spec:
  {{- if not .scaled }}
  replicas: {{ $values.replicas }}
  {{- end }}
  strategy: {rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  selector:
    matchLabels: {{- include "predictq.selector" (list $ .part) | nindent 6 }}
  template:
    metadata:
      labels: {{- include "predictq.labels" $ | nindent 8 }}
        app.kubernetes.io/component: {{ .part }}
      annotations:
        checksum/settings: {{ toYaml $.Values.settings | sha256sum }}
    spec:
      {{- include "predictq.podSecurity" $ | nindent 6 }}
      securityContext: {{- include "predictq.user" 10001 | nindent 8 }}
      {{- with $.Values.images.pullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints: {{- include "predictq.spread" (list $ .part) | nindent 8 }}
      terminationGracePeriodSeconds: {{ .grace }}
      containers:
        - name: {{ .part }}
          image: {{ .image }}
          imagePullPolicy: {{ $.Values.images.pullPolicy }}
          command: {{ toJson .command }}
          {{- with .preStop }}
          lifecycle: {preStop: {exec: {command: {{ toJson . }}}}}
          {{- end }}
          {{- with .port }}
          ports: [{name: http, containerPort: {{ . }}}]
          {{- end }}
          envFrom: [{configMapRef: {name: {{ include "predictq.name" $ }}}}]
          env:
            {{- include "predictq.redisUrl" $ | nindent 12 }}
            {{- with .env }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
          {{- toYaml .probes | nindent 10 }}
          resources: {{- toYaml $values.resources | nindent 12 }}
          securityContext: {{- include "predictq.confined" $ | nindent 12 }}
          volumeMounts:
            - {name: tmp, mountPath: /tmp}
            - {name: run, mountPath: /run/metrics}
            - {name: home, mountPath: /data, subPath: home}
            # Of the models the API only reads.
            - {name: home, mountPath: /data/models, subPath: models, readOnly: {{ eq .part "api" }}}
            {{- if eq .part "api" }}
            - {name: keys, mountPath: /run/secrets/predictq, readOnly: true}
            {{- end }}
      volumes:
        - {name: tmp, emptyDir: {}}
        - {name: run, emptyDir: {}}
        - name: home
          persistentVolumeClaim: {claimName: {{ include "predictq.name" $ }}}
        {{- if eq .part "api" }}
        - name: keys
          secret: {secretName: {{ $.Values.existingSecret }}, items: [{key: keys, path: keys}]}
        {{- end }}
{{- end }}

{{- define "predictq.redisUrl" -}}
{{- if .Values.redis.enabled -}}
- {name: REDIS_URL, value: "redis://{{ include "predictq.name" . }}-redis:6379/0"}
{{- else -}}
- {name: REDIS_URL, valueFrom: {secretKeyRef: {name: {{ .Values.existingSecret }}, key: redis-url}}}
{{- end }}
{{- end }}

{{- define "predictq.key" -}}
{name: PREDICTQ_KEY, valueFrom: {secretKeyRef: {name: {{ .Values.existingSecret }}, key: key}}}
{{- end }}
